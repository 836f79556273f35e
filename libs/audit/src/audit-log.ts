import { afterCommit, runStatement, uuidv7, type Database, type EntityManager, type SqlReader } from '#libs/db';
import { currentContext, runInBackground, startLoop, type Logger, type Loop, type Metrics } from '#libs/runtime';
import { appendWaiting } from './append.ts';
import { dropOldPartitions } from './retention.ts';

/** What something is done to; the contract explains each. */
export type AuditTargetKind =
  | 'account'
  | 'session'
  | 'invitation'
  | 'personal_token'
  | 'signing_key'
  | 'schedule'
  | 'queue'
  | 'dead_job'
  | 'dead_letter_event'
  | 'breaker'
  | 'partition';

/** Something that was done, or refused. It must hold no e-mail address, no name and no secret. */
export interface AuditEntry {
  /** What was done, for instance "role_changed". */
  action: string;
  /** Of a refusal: the reason of the error. Absent: it was done. */
  refusal?: string;
  /** What it was done to. */
  target?: { kind: AuditTargetKind; id: string };
  /** The person whose account it was done to, and who may read of it. */
  accountId?: string;
  details?: Readonly<Record<string, string>>;
  /** Who did it; by default the caller of the running call. */
  actor?: { kind: 'user' | 'anonymous' | 'service' | 'operator'; id: string };
}

/** The part of the audit log that one transaction adds to. */
export interface AuditTrail {
  add(entry: AuditEntry): Promise<void>;
}

/** The audit log of a service: events are only ever added. */
export interface AuditLog {
  /** Adds to the entity manager's transaction: what is rolled back is not recorded. */
  trailOf(em: EntityManager): AuditTrail;
  /** Adds an event in a transaction of its own, for what has no other: a refusal, or a change outside the database. */
  record(entry: AuditEntry): Promise<void>;
  /** Chains what is waiting. A reader then finds all that was committed before. */
  settle(): Promise<void>;
  readonly reader: SqlReader;
  start(): void;
  stop(): Promise<void>;
}

export interface AuditLogOptions {
  service: string;
  database: Pick<Database, 'unitOfWork' | 'reader'>;
  logger: Logger;
  metrics?: Metrics;
  /** Months that ended longer ago than this are dropped. */
  retentionMs: number;
}

const intervalMs = 10_000;
const statementsTimeoutMs = 10_000;
const retentionIntervalMs = 3_600_000;

export function createAuditLog(options: AuditLogOptions): AuditLog {
  const { service, database, logger, metrics, retentionMs } = options;
  const uow = database.unitOfWork((em) => em);
  const added = metrics?.counter('audit_events_total', 'Events of the audit log by outcome.', ['outcome']);
  let loops: Loop[] = [];
  let chaining: Loop | undefined;

  const add = async (em: EntityManager, entry: AuditEntry): Promise<void> => {
    const event = toEvent(entry, service);
    await runStatement(em, insertWaiting, toRow(event));
    const callLogger = currentContext()?.logger ?? logger;
    afterCommit(em, () => {
      added?.inc({ outcome: event.outcome });
      callLogger.info(toLogFields(event), 'audited');
      chaining?.wake();
    });
  };
  const settle = async (): Promise<void> => {
    for (;;) {
      const [waiting] = await database.reader.query<{ exists: boolean }>(isAnyWaiting, []);
      if (waiting?.exists !== true || !(await uow.run(appendWaiting))) return;
    }
  };
  const inBackground = (name: string, signal: AbortSignal, work: () => Promise<void>): Promise<void> =>
    runInBackground({ name, logger, timeoutMs: statementsTimeoutMs, signal }, work);
  return {
    trailOf: (em) => ({ add: (entry) => add(em, entry) }),
    record: (entry) => uow.run((em) => add(em, entry)),
    settle,
    reader: database.reader,
    start: () => {
      chaining = startLoop({
        name: 'audit-chain',
        logger,
        intervalMs,
        run: (signal) => inBackground('audit-chain', signal, settle),
      });
      const retention = startLoop({
        name: 'audit-retention',
        logger,
        intervalMs: retentionIntervalMs,
        run: (signal) =>
          inBackground('audit-retention', signal, () => uow.run((em) => dropOldPartitions(em, retentionMs, add))),
      });
      loops = [chaining, retention];
    },
    stop: async () => void (await Promise.all(loops.map((loop) => loop.stop()))),
  };
}

interface NewEvent extends AuditEntry {
  outcome: 'done' | 'refused';
  actor: NonNullable<AuditEntry['actor']>;
}

const toEvent = (entry: AuditEntry, service: string): NewEvent => ({
  ...entry,
  outcome: entry.refusal === undefined ? 'done' : 'refused',
  actor: entry.actor ?? actorOf(currentContext()?.actor, service),
});

const nothing = { kind: '', id: '' };
const noCall = { requestId: '', peer: '' };

function toRow({ action, outcome, refusal = '', actor, target, accountId, details = {} }: NewEvent): unknown[] {
  const on = target ?? nothing;
  const { requestId, peer } = currentContext() ?? noCall;
  const what = [uuidv7(), action, outcome, refusal];
  return [...what, actor.kind, actor.id, on.kind, on.id, accountId ?? null, requestId, peer, JSON.stringify(details)];
}

const toLogFields = ({ action, refusal, actor, target, accountId, details }: NewEvent): Record<string, unknown> => ({
  ...details,
  audit: action,
  ...(refusal !== undefined && { refusal }),
  by: actor.id,
  ...(target !== undefined && { [target.kind]: target.id }),
  ...(accountId !== undefined && { accountId }),
});

type CallActor = NonNullable<ReturnType<typeof currentContext>>['actor'];

/** Without a call the service itself is at work. */
function actorOf(actor: CallActor | undefined, service: string): NonNullable<AuditEntry['actor']> {
  if (actor?.kind === 'user') return { kind: 'user', id: actor.userId };
  if (actor?.kind === 'service') return { kind: 'service', id: actor.service };
  const isCall = (currentContext()?.peer ?? '') !== '';
  return isCall ? { kind: 'anonymous', id: '' } : { kind: 'service', id: service };
}

const insertWaiting = {
  name: 'audit_add',
  text: `
    insert into audit.waiting (id, create_time, action, outcome, reason, actor_kind, actor_id, target_kind, target_id,
      account_id, call_id, address, details)
    values ($1, clock_timestamp(), $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`,
};
const isAnyWaiting = { name: 'audit_any', text: 'select exists (select from audit.waiting) as exists' };
