/* What the databases and the receivers of webhooks hold, as plain values. */

export interface TaskFact {
  id: string;
  ownerId: string;
  /** '' when nobody. */
  assigneeId: string;
  title: string;
  /** As in the contract: 1 pending, 2 in progress, 3 completed, 4 cancelled. */
  status: number;
  version: number;
  dueVersion: number;
  /** By the database's clock. */
  isDue: boolean;
  hasDueTime: boolean;
  deleted: boolean;
}

export interface DueFact {
  taskId: string;
  dueVersion: number;
  marked: boolean;
}

/** The state of a task in an event. */
export interface TaskSide {
  ownerId: string;
  assigneeId: string;
  title: string;
  status: string;
}

export interface EventFact {
  id: string;
  streamId: string;
  sequence: number;
  /** Of TaskEventType, without its prefix: CREATED, UPDATED, OVERDUE, … */
  type: string;
  taskId: string;
  taskVersion: number;
  dueVersion: number;
  actor: string;
  requestId: string;
  before: TaskSide | undefined;
  after: TaskSide | undefined;
  /** Who is on record as concerned. */
  audience: readonly string[];
}

export interface HeadFact {
  streamId: string;
  lastSequence: number;
  /** Tasks of the stream's owner, and tasks that others have assigned to them. */
  owned: number;
  assigned: number;
}

export interface NotificationFact {
  id: string;
  recipientId: string;
  /** '' when no event is behind it. */
  eventId: string;
  kind: 'OVERDUE' | 'STATUS_CHANGED' | 'ASSIGNED' | 'OTHER';
  taskId: string;
  dueVersion: number;
  /** The notification that stands for it and others; '' when none. */
  digestId: string;
  state: string;
  /** When it was delivered, and its position in the feed of inboxes. */
  delivered: string;
}

export interface DeliveryFact {
  notificationId: string;
  channel: string;
  outcome: string;
}

export interface WebhookDeliveryFact {
  id: string;
  webhookId: string;
  ownerId: string;
  /** '' for a test. */
  notificationId: string;
  messageId: string;
  state: string;
  attempts: number;
}

/** A message as it arrived at an endpoint. */
export interface ReceivedFact {
  /** Whose endpoint it is. */
  ownerId: string;
  messageId: string;
  body: string;
}

export interface AccountFact {
  id: string;
  email: string;
  role: string;
  sessions: number;
}

/** An attempt to hand an account over to users, as the services logged it. */
export interface HandOverFact {
  requestId: string;
  /** received: users did it. failed: auth heard of no success. */
  what: 'received' | 'failed';
}

export interface Facts {
  tasks: readonly TaskFact[];
  dues: readonly DueFact[];
  events: readonly EventFact[];
  heads: readonly HeadFact[];
  notifications: readonly NotificationFact[];
  deliveries: readonly DeliveryFact[];
  /** Owners of webhooks that are enabled. */
  webhookOwners: readonly string[];
  webhookDeliveries: readonly WebhookDeliveryFact[];
  received: readonly ReceivedFact[];
  accounts: readonly AccountFact[];
  profileIds: readonly string[];
  /** Entries of auth's outbox that are still to be done. */
  outbox: number;
  handOvers: readonly HandOverFact[];
}
