import { NotificationsService } from '#client/scheduler';
import { argument, changeArguments, pageArguments, paged, type Tool } from './tool.ts';

const { method } = NotificationsService;

export const inboxTools: readonly Tool[] = [
  {
    name: 'list_notifications',
    title: 'Read the inbox',
    method: method.listNotifications,
    about:
      'Use it for what the person was told: tasks that became overdue, were assigned, or whose status changed. Newest ' +
      'first. unreadOnly leaves out what was read. A digest stands for many overdue tasks: pass its id as digestId for them.',
    arguments: [...pageArguments, ...['unreadOnly', 'kinds', 'digestId'].map((field) => argument(field))],
    summary: paged('notification', 'notifications'),
  },
  {
    name: 'get_unread_count',
    title: 'Count unread notifications',
    method: method.getUnreadCount,
    about:
      'Use it to see whether the inbox has news. Returns unreadCount; left out means 0, and 10000 "that many or more".',
    arguments: [],
    summary: () => 'The number of unread notifications. Left out means 0.',
  },
  {
    name: 'mark_notifications_read',
    title: 'Mark notifications as read',
    method: method.markNotificationsRead,
    about:
      'Use it when the person has seen notifications: those of notificationIds, or all (pass {}, or a deliverEndTime ' +
      'in it so that later ones stay unread). One of both must be set. Returns how many were unread.',
    arguments: [
      argument('ids.notificationIds'),
      argument('all', { about: 'Everything that was delivered until now, or before deliverEndTime.' }),
      ...changeArguments,
    ],
    effects: { destructive: false, idempotent: true, would: 'they would be marked as read' },
    summary: () => 'They are marked as read.',
  },
];
