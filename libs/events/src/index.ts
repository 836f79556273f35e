export { createEventLog, type CounterChange, type EventLog, type EventLogOptions, type NewEvent } from './event-log.ts';
export { eventLogTables } from './event-log-tables.ts';
export { createEventSignal, type EventSignal, type EventSignalOptions } from './event-signal.ts';
export { pullEvents, readCounters, type EventBatch, type Position, type StoredEvent } from './pull.ts';
export { createCursorRepository, cursorTable, type CursorRepository, type ParkedEvent } from './cursor.ts';
export { outboxTable } from './outbox-table.ts';
export { createOutbox, type Outbox, type OutboxOptions } from './outbox.ts';
export { createPuller, type PulledEvent, type Puller, type PullerOptions } from './puller.ts';
