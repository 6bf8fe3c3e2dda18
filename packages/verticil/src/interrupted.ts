/** Thrown when a command that takes interrupts was ended by one, after it had put everything in order. */
export class Interrupted extends Error {
  override readonly name: string = "Interrupted";
}
