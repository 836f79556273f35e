export {
  appendStatement,
  createEventLog,
  currentOrigin,
  type CounterChange,
  type EventLog,
  type NewEvent,
} from './event-log.ts';
export { eventFeedTables, eventLogTables } from './event-log-tables.ts';
export { concernsOthers } from './concern.ts';
export { createEventSignal, type EventSignal, type WantedEvents } from './event-signal.ts';
export { currentLog, readLog, renewIncarnation, type LogRow } from './incarnation.ts';
export { logIncarnations } from './incarnation-tables.ts';
export { type Position } from './position.ts';
export { pullEvents, readCounters, type EventBatch, type OwnEvents, type StoredEvent } from './pull.ts';
export { createCursorRepository, cursorTable, type CursorRepository } from './cursor.ts';
export { OutboxEntry, outboxTable } from './outbox-table.ts';
export { createOutbox, type Outbox } from './outbox.ts';
export { createEventConsumer, type EventConsumer } from './event-consumer.ts';
export { runAfterRestoreCommand } from './after-restore.ts';
export { announce } from './announcement.ts';
export {
  createLogSource,
  currentPosition,
  readHistory,
  readUserEvents,
  readUserFeed,
  type FeedPage,
  type FeedScope,
  type FeedSource,
} from './feed.ts';
export { isBehindJoining, type Joining } from './joining.ts';
export { createEventBroadcaster, type EventBroadcaster, type FeedItem } from './broadcaster.ts';
export { positionBefore, positionBeforeEvent, readPart, type PartPage } from './part.ts';
export { pruneEvents } from './prune.ts';
export { eraseEvents, type ErasedEvent } from './erase-events.ts';
