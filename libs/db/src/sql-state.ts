import { types } from 'node:util';
import { DriverException, OptimisticLockError, ValidationError } from '@mikro-orm/core';

/** The kinds of database faults that callers distinguish. */
export type FaultKind =
  | 'conflict' // a concurrent transaction won; the whole transaction may be repeated
  | 'lock_timeout'
  | 'timeout' // a statement or the transaction was ended, by a limit or by a cancel request
  | 'connection' // the server is away, refuses us, or dropped the connection
  | 'pool_exhausted'
  | 'constraint'
  | 'bad_text' // text that PostgreSQL cannot store, such as NUL
  | 'defect';

interface PostgresError extends Error {
  code?: string;
  severity?: string;
  constraint?: string;
  table?: string;
  column?: string;
}

/**
 * The pool reports both timeouts by a message only: the first while all connections are in use, the second while it
 * connects.
 */
const poolWaitTimeout = 'timeout exceeded when trying to connect';
const connectionMessages = [
  'Connection terminated',
  'Client has encountered a connection error',
  'Client was closed',
  'Query read timeout',
  'Postgres connection has been discarded',
  'driver has already been destroyed',
  'Cannot use a pool after calling end',
];
const brokenMessages = [
  'Connection terminated unexpectedly',
  'Client has encountered a connection error',
  'Client was closed',
];
const connectionCodes = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ECONNABORTED',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
]);

const kindsByState: Readonly<Record<string, FaultKind>> = {
  '40001': 'conflict', // serialization_failure
  '40P01': 'conflict', // deadlock_detected
  '55P03': 'lock_timeout', // lock_not_available
  '57014': 'timeout', // query_canceled, also by statement_timeout
  '25P04': 'timeout', // transaction_timeout
  '25P03': 'connection', // idle_in_transaction_session_timeout
  '55000': 'connection', // the database does not accept connections
  '22021': 'bad_text', // character_not_in_repertoire
  '22P05': 'bad_text', // untranslatable_character
};

/** By the first two characters of the SQLSTATE. */
const kindsByClass: Readonly<Record<string, FaultKind>> = {
  '08': 'connection',
  '23': 'constraint',
  '28': 'connection', // wrong role or password: for callers the database is away
  '3D': 'connection', // no such database
  '53': 'connection', // out of connections, memory, disk
  '57': 'connection', // shutting down, starting, terminated
  '58': 'connection',
};

/** Returns the kind of a fault of the database or the ORM, undefined for every other error. */
export function faultKind(error: unknown): FaultKind | undefined {
  if (!types.isNativeError(error)) return undefined;
  if (error instanceof OptimisticLockError) return 'conflict';
  return kindOfCode(error) ?? kindOfMessage(error.message) ?? (isOrmError(error) ? 'defect' : undefined);
}

/**
 * Whether an open connection broke. The pool may hold connections from before a restart of the server, so a transaction
 * that has not begun may be tried once more.
 */
export function isBrokenConnection(error: unknown): boolean {
  if (faultKind(error) !== 'connection') return false;
  const { code, message } = error as PostgresError;
  return code === undefined
    ? brokenMessages.some((start) => message.startsWith(start))
    : ['ECONNRESET', 'EPIPE', '57P01', '57P02'].includes(code);
}

function kindOfCode({ code, severity }: PostgresError): FaultKind | undefined {
  if (code === undefined) return undefined;
  if (connectionCodes.has(code)) return 'connection';
  if (severity === undefined) return undefined;
  return kindsByState[code] ?? kindsByClass[code.slice(0, 2)] ?? 'defect';
}

function kindOfMessage(message: string): FaultKind | undefined {
  if (message === poolWaitTimeout) return 'pool_exhausted';
  return connectionMessages.some((start) => message.startsWith(start)) ? 'connection' : undefined;
}

function isOrmError(error: Error): boolean {
  return error instanceof DriverException || error instanceof ValidationError;
}

export function violatedConstraint(error: unknown): string | undefined {
  return (error as PostgresError).constraint;
}

/**
 * A database error that may be logged. The ORM puts the statement into its messages and PostgreSQL quotes rows in its
 * own, so the original message and details are dropped and only safe names are kept.
 */
export class DatabaseFault extends Error {
  override readonly name = 'DatabaseFault';
  /** SQLSTATE, or the system's error code. */
  readonly code: string | undefined;

  constructor(original: Error) {
    super(describe(original));
    this.code = (original as PostgresError).code;
    this.stack = [`${this.name}: ${this.message}`, ...frames(original)].join('\n');
  }
}

/**
 * Messages of these classes hold identifiers at most: an undefined table or column, a missing permission, a lost
 * connection.
 */
const harmlessMessages = /^(42P01|42703|42883|42501|25...|40...|53...|57...|08...|55P03|3D000|E[A-Z_]+)$/;

function describe(error: Error): string {
  const { code, constraint, table, column } = error as PostgresError;
  const where = Object.entries({ constraint, table, column }).flatMap(([key, value]) =>
    value === undefined ? [] : [`${key} ${value}`],
  );
  const what = code === undefined ? error.constructor.name : `SQLSTATE ${code}`;
  const said = code !== undefined && harmlessMessages.test(code) ? [lastPart(error.message)] : [];
  return [code?.startsWith('E') === true ? code : what, ...where, ...said].join(', ');
}

/** The ORM puts the statement before the server's message: "insert into … - relation … does not exist". */
function lastPart(message: string): string {
  return (message.split(' - ').at(-1) ?? '').slice(0, 200);
}

function frames(error: Error): string[] {
  return (error.stack ?? '').split('\n').filter((line) => /^\s+at /.test(line));
}
