import type { Departure } from './departure.columns.ts';

/** People who have left a project, and whose tasks in it are still to be handed over. */
export interface DepartureRepository {
  /** The one who has been waiting longest. */
  findOldest(): Promise<Departure | undefined>;
  /** Whether the person has not come back, to be read behind the lock on the project. */
  isStillGone(departure: Departure): Promise<boolean>;
  /** Hands over up to `limit` deleted tasks that are not locked, of which nobody is told. Returns how many. */
  passDeleted(departure: Departure, heirId: string, limit: number): Promise<number>;
  /** Ends the departure when no task is left. Returns whether it did. */
  end(departure: Departure): Promise<boolean>;
}
