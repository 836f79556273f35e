import { Role } from '#contract/auth/v1/auth';
import { NotificationChannel, type NotificationSettings as NotificationSettingsMessage, type User } from '#contract/users/v1/users';
import type { z } from 'zod';
import { etagOf, type Channel, type ProfileRole } from '../domain/profile.entity.ts';
import type { AccountCopy, NotificationSettings, ProfileView } from '../domain/profile.repository.ts';
import type { upsertProfileSchema } from './users.schemas.ts';

const roleMessages: Readonly<Record<ProfileRole, Role>> = { user: Role.USER, admin: Role.ADMIN };

const channelMessages: Readonly<Record<Channel, NotificationChannel>> = {
  inbox: NotificationChannel.INBOX,
  email: NotificationChannel.EMAIL,
  webhook: NotificationChannel.WEBHOOK,
};

const toChannelMessages = (channels: readonly Channel[]): NotificationChannel[] => channels.map((channel) => channelMessages[channel]);

export function toUserMessage(profile: ProfileView): User {
  const { id, email, role, enabled, displayName, timeZone, locale, overdueHour, channels, createTime, updateTime, version } = profile;
  return {
    id,
    email,
    role: roleMessages[role],
    enabled,
    displayName,
    timeZone,
    locale,
    overdueHour,
    channels: toChannelMessages(channels),
    createTime,
    updateTime,
    etag: etagOf(version),
  };
}

export function toSettingsMessage({ id, timeZone, overdueHour, channels }: NotificationSettings): NotificationSettingsMessage {
  return { userId: id, timeZone, overdueHour, channels: toChannelMessages(channels) };
}

export function toAccountCopy(request: z.output<typeof upsertProfileSchema>): AccountCopy {
  const { userId, email, role, enabled, accountVersion, displayName, accountCreateTime } = request;
  return { id: userId, email, role: role === Role.ADMIN ? 'admin' : 'user', enabled, accountVersion, displayName, createTime: accountCreateTime };
}
