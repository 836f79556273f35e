import { create } from '#client/index';
import { GetTaskRequestSchema, GetTaskStatsRequestSchema, TasksService } from '#client/tasks';
import { ListNotificationsRequestSchema, NotificationsService } from '#client/scheduler';
import { GetMeRequestSchema, UsersService } from '#client/users';
import type { DescMethod, Message } from '@bufbuild/protobuf';

/** Something to read, by its address. */
export interface Place {
  /** For a template with `{id}` in it. */
  uri: string;
  name: string;
  title: string;
  description: string;
  method: DescMethod;
  request: (id: string) => Message;
}

export const places: readonly Place[] = [
  {
    uri: 'taskflow://tasks/{id}',
    name: 'task',
    title: 'A task',
    description: 'A task as it is now, by its id.',
    method: TasksService.method.getTask,
    request: (taskId) => create(GetTaskRequestSchema, { taskId }),
  },
  {
    uri: 'taskflow://stats',
    name: 'stats',
    title: 'Numbers of tasks',
    description: "Exact numbers of the person's tasks. What is left out is 0.",
    method: TasksService.method.getTaskStats,
    request: () => create(GetTaskStatsRequestSchema),
  },
  {
    uri: 'taskflow://inbox',
    name: 'inbox',
    title: 'Unread notifications',
    description: 'The newest unread notifications, at most 50.',
    method: NotificationsService.method.listNotifications,
    request: () => create(ListNotificationsRequestSchema, { unreadOnly: true }),
  },
  {
    uri: 'taskflow://me',
    name: 'me',
    title: 'The person',
    description: 'The profile of the person that the agent works for.',
    method: UsersService.method.getMe,
    request: () => create(GetMeRequestSchema),
  },
];

const variable = '{id}';

export const isTemplate = ({ uri }: Place): boolean => uri.endsWith(variable);

/** The place of an address, with the id in it. */
export function findPlace(uri: string): { place: Place; id: string } | undefined {
  const exact = places.find((place) => place.uri === uri && !isTemplate(place));
  if (exact !== undefined) return { place: exact, id: '' };
  const place = places.find((one) => isTemplate(one) && uri.startsWith(one.uri.slice(0, -variable.length)));
  return place && { place, id: uri.slice(place.uri.length - variable.length) };
}
