/** The cursor over the event log of tasks. */
export const taskEventsCursor = 'tasks';
