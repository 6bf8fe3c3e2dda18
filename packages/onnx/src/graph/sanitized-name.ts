/** A name as an identifier: other characters become underscores, and it starts with a letter. */
export function sanitizedName(name: string): string {
  const plain = name.replace(/[^A-Za-z0-9_]/g, "_");
  return /^[A-Za-z]/.test(plain) ? plain : `input_${plain.replace(/^_+/, "")}`;
}
