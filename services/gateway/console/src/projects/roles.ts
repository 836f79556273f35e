import { ProjectRole } from '#client/tasks';

export const roles: readonly { value: ProjectRole; label: string; hint: string }[] = [
  { value: ProjectRole.VIEWER, label: 'Viewer', hint: 'sees everything' },
  { value: ProjectRole.COMMENTER, label: 'Commenter', hint: 'comments as well' },
  { value: ProjectRole.EDITOR, label: 'Editor', hint: 'changes tasks as well' },
  { value: ProjectRole.MANAGER, label: 'Manager', hint: 'decides who belongs to it' },
];

export const roleLabel = (role: ProjectRole): string => roles.find(({ value }) => value === role)?.label ?? 'Member';
