/** The status codes of gRPC without OK and those that a program never chooses itself. */
export type ErrorKind =
  | 'cancelled'
  | 'invalid_argument'
  | 'deadline_exceeded'
  | 'not_found'
  | 'already_exists'
  | 'permission_denied'
  | 'resource_exhausted'
  | 'failed_precondition'
  | 'aborted'
  | 'out_of_range'
  | 'unimplemented'
  | 'internal'
  | 'unavailable'
  | 'unauthenticated';

export interface ErrorRule {
  /** The gRPC status code. */
  code: number;
  /** Whether the same request may succeed a little later. */
  retryable: boolean;
  /** error = a person must act; warn = heals by itself; info = the caller's matter. */
  logLevel: 'info' | 'warn' | 'error';
}

/** The one table of what each kind of error means outside the code. */
export const errorTable: Readonly<Record<ErrorKind, ErrorRule>> = {
  cancelled: { code: 1, retryable: false, logLevel: 'info' },
  invalid_argument: { code: 3, retryable: false, logLevel: 'info' },
  deadline_exceeded: { code: 4, retryable: true, logLevel: 'warn' },
  not_found: { code: 5, retryable: false, logLevel: 'info' },
  already_exists: { code: 6, retryable: false, logLevel: 'info' },
  permission_denied: { code: 7, retryable: false, logLevel: 'info' },
  resource_exhausted: { code: 8, retryable: true, logLevel: 'warn' },
  failed_precondition: { code: 9, retryable: false, logLevel: 'info' },
  aborted: { code: 10, retryable: true, logLevel: 'info' },
  out_of_range: { code: 11, retryable: false, logLevel: 'info' },
  unimplemented: { code: 12, retryable: false, logLevel: 'info' },
  internal: { code: 13, retryable: false, logLevel: 'error' },
  unavailable: { code: 14, retryable: true, logLevel: 'warn' },
  unauthenticated: { code: 16, retryable: false, logLevel: 'info' },
};

const kindsByCode = new Map(Object.entries(errorTable).map(([kind, rule]) => [rule.code, kind as ErrorKind]));

/** The kind of a gRPC status code; UNKNOWN (2) and DATA_LOSS (15) count as internal. */
export function kindOfCode(code: number): ErrorKind {
  return kindsByCode.get(code) ?? 'internal';
}
