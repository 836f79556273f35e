import { exitCodes } from './exit-codes.ts';

/** The command line is wrong. The message names the argument. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** The command cannot go on, and what it says to the user is all there is to say. */
export class Failure extends Error {
  override readonly name = 'Failure';
  readonly exitCode: number;
  constructor(message: string, exitCode: number = exitCodes.failed) {
    super(message);
    this.exitCode = exitCode;
  }
}

/** Ctrl-C, also in a prompt. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted';
}
