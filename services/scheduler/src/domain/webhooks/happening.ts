import type { Position } from '#libs/events';
import type { EventType } from './event-types.ts';

/** Whose part of the log a webhook reads. */
export interface LogReader {
  userId: string;
  /** '' = what concerns the person. */
  projectId: string;
}

/** Something that happened, as a reader may see it. */
export interface Happening {
  position: Position;
  time: Date;
  /** The most specific one first. */
  types: readonly EventType[];
  /** What it happened to; messages about one subject are in order. */
  subjectId: string;
  /** '' = to no task. */
  taskId: string;
  version: bigint;
  /** Of whose text nothing may be kept; '' = none. */
  deletedCommentId: string;
  actor: string;
  /** Who may not see it may not be told; '' = none. */
  projectId: string;
  /** Nor who may not see this one; '' = none. */
  otherProjectId: string;
  /** What messages say of it: resources in the JSON of the contract. */
  data: Readonly<Record<string, unknown>>;
}

/** A page of what happened. */
export interface HappeningsPage {
  happenings: Happening[];
  next: Position;
  more: boolean;
  /** The log has lost the position, and nothing was read. */
  restored: boolean;
  /** The projects of which the reader may be told now. */
  projectIds: string[];
}
