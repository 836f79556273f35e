import { defineEntityOf } from '#libs/db';
import { mailTable, type MailValues } from './mail.columns.ts';

export const MailSchema = defineEntityOf(mailTable, {
  name: 'Mail',
  indexes: [
    { name: 'mails_account_id_create_time_idx', properties: ['accountId', 'createTime'] },
    { name: 'mails_email_create_time_idx', properties: ['email', 'createTime'] },
    { name: 'mails_expire_time_idx', properties: ['expireTime'] },
  ],
});

/** A mail to a person, which the scheduler sends. */
export class Mail extends MailSchema.class {
  static of(values: MailValues): Mail {
    return Object.assign(new Mail(), values);
  }
}
MailSchema.setClass(Mail);
