/** A schedule script that cannot be read or says what no schedule does. `at` is the place in its text. */
export class ScheduleScriptError extends Error {
  readonly at: { readonly start: number; readonly end: number } | undefined;

  constructor(message: string, at?: { readonly start: number; readonly end: number }) {
    super(message);
    this.name = "ScheduleScriptError";
    this.at = at;
  }
}
