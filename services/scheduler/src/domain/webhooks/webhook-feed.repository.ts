import type { WebhookMessageType } from '#contract/scheduler/v1/notifications';
import type { Position } from '#libs/events';
import type { LogReader } from './happening.ts';
import type { WebhookRun } from './webhook-run.repository.ts';

/** So many messages of what happens may wait for one webhook; behind them it reads no further. */
export const maxWaiting = 500;

/** A webhook whose job is about to read. */
export interface ReadingWebhook {
  reader: LogReader;
  after: Position;
  replays: number;
  /** What it is sent. */
  events: WebhookMessageType[];
  /** There may be something to read. */
  unread: boolean;
  createTime: Date;
  /** How many more messages may wait. */
  room: number;
}

/** A message about something that happened. */
export interface EventMessage {
  eventType: WebhookMessageType;
  position: Position;
  subjectId: string;
  /** '' = none. */
  taskId: string;
  version: bigint;
  /** '' = none. */
  projectId: string;
  /** '' = none. */
  otherProjectId: string;
  body: string;
}

/** A comment whose text must not be kept. */
export interface DeletedComment {
  taskId: string;
  commentId: string;
}

/** What was read of the log for a webhook. */
export interface ReadPage {
  messages: readonly EventMessage[];
  next: Position;
  more: boolean;
  deletedComments: readonly DeletedComment[];
  /** The body of a message that tells of a restored log. */
  restored?: string | undefined;
}

/** How webhooks read the log of tasks. */
export interface WebhookFeedRepository {
  /** Notes that the webhooks of these readers have something to read. */
  wake(readerIds: readonly string[]): Promise<void>;
  /** Undefined when the webhook belongs to another job, or reads nothing. Notes that it is about to be read. */
  begin(run: WebhookRun): Promise<ReadingWebhook | undefined>;
  /** False when the webhook belongs to another job or was set back meanwhile: then nothing is stored. */
  store(run: WebhookRun, from: Pick<ReadingWebhook, 'after' | 'replays'>, page: ReadPage): Promise<boolean>;
  /** Takes the texts of deleted comments out of the messages of all webhooks, also of those that wait. */
  eraseTexts(comments: readonly DeletedComment[]): Promise<void>;
  /** Begins to read behind a position. */
  startAt(webhookId: string, position: Position): Promise<void>;
  /** Goes on where it ended, and makes pending again what was dropped when it was disabled. */
  resume(webhookId: string): Promise<void>;
  /** Goes back to a position before the one that is reached; what waits and comes again is dropped. */
  setBack(webhookId: string, position: Position): Promise<void>;
  /** The place of one of its deliveries of what happened; `isOld`: behind what may be replayed. */
  findDelivery(webhookId: string, deliveryId: string): Promise<{ position: Position; isOld: boolean } | undefined>;
  /** Of what it was sent of the log: the place of the latest event but `offset`. */
  findSent(webhookId: string, offset: number): Promise<Position | undefined>;
  /** From when on what happened may be replayed. */
  oldestReplay(): Promise<Date>;
}
