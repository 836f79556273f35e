import { column, defineColumns, defineEntityOf, type Stored } from '#libs/db';

/** Somebody who has left a project, or was removed from it, and whose tasks in it are still to be handed over. */
export const departureTable = defineColumns('project_departures', {
  projectId: column.uuid().primary(),
  userId: column.uuid().primary(),
  /** Who removed the person; null when nobody did who is a member. */
  removedBy: column.uuid().nullable(),
  createTime: column.time(),
});

export type Departure = Stored<typeof departureTable.columns>;

export const DepartureSchema = defineEntityOf(departureTable, {
  name: 'ProjectDeparture',
  indexes: [
    { name: 'project_departures_person', properties: ['userId', 'projectId'] },
    { name: 'project_departures_by_time', properties: ['createTime'] },
  ],
});
