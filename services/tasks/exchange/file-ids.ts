import { createHash } from 'node:crypto';
import type { StoredTask } from './file-task.ts';

/* Entries are recognised by the id of a task, by their UID, or by their content. */

const taskId = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const ofTask = 'taskflow:';
const ofUid = 'ics:';
const maxExternalId = 128;

const digest = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 40);

export interface EntryId {
  externalId: string;
  /** The task that the entry was exported from, if it names one. */
  taskId: string | undefined;
}

export function isTaskId(text: string): boolean {
  return taskId.test(text);
}

/** For the id of a task. In another account, the task's copy is recognised by the external id. */
export function idOfTask(id: string): EntryId {
  return { externalId: `${ofTask}${id}`, taskId: id };
}

/** An external id has at most 128 characters and no control characters. A longer UID becomes its hash. */
export function idOfUid(uid: string): EntryId {
  if (isTaskId(uid)) return idOfTask(uid);
  const plain = `${ofUid}${uid}`;
  const fits = [...plain].length <= maxExternalId && !/[\u0000-\u001f\u007f-\u009f]/.test(plain);
  return { externalId: fits ? plain : `${ofUid}sha256-${digest(uid)}`, taskId: undefined };
}

/** The id of a task in files: its own, or that of the task whose copy it is. */
export function fileIdOf({ id, externalId }: Pick<StoredTask, 'id' | 'externalId'>): string {
  const original = externalId.startsWith(ofTask) ? externalId.slice(ofTask.length) : '';
  return isTaskId(original) ? original : id;
}

/** The UID that a task was imported with, else its id in files. */
export function uidOf(task: Pick<StoredTask, 'id' | 'externalId'>): string {
  const uid = task.externalId.startsWith(ofUid) ? task.externalId.slice(ofUid.length).trim() : '';
  return uid !== '' && idOfUid(uid).externalId === task.externalId ? uid : fileIdOf(task);
}

/** Gives an entry the same id in every reading, and numbers identical entries so that their ids differ. */
export function createContentIds(format: string): (content: string) => EntryId {
  // Takes some dozens of bytes for each entry of a file.
  const seen = new Map<string, number>();
  return (content) => {
    const key = digest(content).slice(0, 20);
    const occurrence = seen.get(key) ?? 0;
    seen.set(key, occurrence + 1);
    return { externalId: `${format}:${digest(`${occurrence}\n${content}`)}`, taskId: undefined };
  };
}
