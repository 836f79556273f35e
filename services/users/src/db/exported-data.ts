import { User } from '#contract/users/v1/users';
import { canonicalJson } from '#libs/contract';
import { auditEvents, commonTables, defineExportPart, type ExportedData } from '#libs/export';
import { toUserMessage, type ProfileDefaults } from '../domain/profile.columns.ts';
import { createProfileReader } from './profile.reader.ts';

/** What people can take away from this service. */
export const exportedData = (defaults: ProfileDefaults): ExportedData => ({
  parts: [
    defineExportPart({
      type: 'user',
      message: canonicalJson('taskflow.users.v1.User', User),
      tables: ['profiles'],
      pages: async function* (reader, { userId }) {
        const profile = await createProfileReader(reader).find(userId);
        if (profile !== undefined) yield [toUserMessage(profile, defaults)];
      },
    }),
    auditEvents,
  ],
  leftOut: { ...commonTables, removed_users: 'who is gone' },
});
