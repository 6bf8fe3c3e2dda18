/** The answer of a command is "no": exit code 1, and all has been said. */
export class Divergence extends Error {}
