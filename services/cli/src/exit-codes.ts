import type { ErrorCode } from '#client/index';

/** The exit code of a call that failed is the number of its gRPC code. */
export const callExitCodes: Readonly<Record<ErrorCode, number>> = {
  CANCELLED: 1,
  UNKNOWN: 2,
  INVALID_ARGUMENT: 3,
  DEADLINE_EXCEEDED: 4,
  NOT_FOUND: 5,
  ALREADY_EXISTS: 6,
  PERMISSION_DENIED: 7,
  RESOURCE_EXHAUSTED: 8,
  FAILED_PRECONDITION: 9,
  ABORTED: 10,
  OUT_OF_RANGE: 11,
  UNIMPLEMENTED: 12,
  INTERNAL: 13,
  UNAVAILABLE: 14,
  DATA_LOSS: 15,
  UNAUTHENTICATED: 16,
};

/** The others are those of sysexits.h, and 130 as shells have it. */
export const exitCodes = {
  /** Wrong arguments. */
  usage: 64,
  /** A file has entries that were skipped. */
  someSkipped: 65,
  /** Something on this machine, such as a file that cannot be read. */
  failed: 74,
  /** Ctrl-C. */
  interrupted: 130,
} as const;

const wrap = (parts: readonly string[]): string =>
  parts.reduce((text, part) => {
    const line = text.slice(text.lastIndexOf('\n') + 1);
    return line.length + part.length > 74 ? `${text}\n  ${part}` : `${text} ${part}`;
  }, ' ');

export const exitCodesHelp = `
Exit codes:
  0 done, ${exitCodes.usage} wrong arguments, ${exitCodes.someSkipped} a file has entries that were skipped,
  ${exitCodes.failed} a fault of this machine or its files, ${exitCodes.interrupted} Ctrl-C; else the gRPC code of the call that failed:
${wrap(Object.entries(callExitCodes).map(([code, number]) => `${number} ${code}`))}
`;
