import { describe, expect, it } from '@jest/globals';
import type { ConfigError } from '#libs/runtime';
import { readConfig } from '../src/config.ts';
import { environment } from './environment.ts';

describe('mails', () => {
  const smtp = {
    TASKFLOW_MAIL: 'smtp',
    TASKFLOW_SCHEDULER_SMTP_URL: 'smtp://taskflow:secret@mail.example.com',
    TASKFLOW_SCHEDULER_MAIL_SENDER: 'Task Flow <taskflow@example.com>',
  };
  const mailOf = (more: NodeJS.ProcessEnv) => readConfig({ ...environment(), ...more }).mail;
  const faultsOf = (more: NodeJS.ProcessEnv): readonly string[] => {
    try {
      mailOf(more);
      return [];
    } catch (error) {
      return (error as ConfigError).faults;
    }
  };

  it('are off unless the settings say how they are sent', () => {
    expect(mailOf({})).toBeUndefined();
    expect(mailOf({ ...smtp, TASKFLOW_SCHEDULER_MAIL_SITE_URL: 'https://tasks.example.com/' })).toMatchObject({
      way: 'smtp',
      startTls: 'required',
      sender: { name: 'Task Flow', address: 'taskflow@example.com' },
      links: { site: 'https://tasks.example.com', unsubscribeAddress: undefined },
    });
    expect(mailOf({ ...smtp, TASKFLOW_SCHEDULER_MAIL_SENDER: 'taskflow@example.com' })?.sender).toEqual({
      name: '',
      address: 'taskflow@example.com',
    });
  });

  it('need everything that sending needs, and every fault is named at once, none with a secret', () => {
    expect(faultsOf({ TASKFLOW_MAIL: 'smtp' })).toEqual([
      'TASKFLOW_SCHEDULER_SMTP_URL: is missing',
      'TASKFLOW_SCHEDULER_MAIL_SENDER: is missing',
    ]);
    expect(faultsOf({ TASKFLOW_MAIL: 'folder' })).toEqual(['TASKFLOW_SCHEDULER_MAIL_FOLDER: is missing']);
    const wrong = {
      TASKFLOW_MAIL: 'post',
      TASKFLOW_SCHEDULER_SMTP_URL: 'http://taskflow:secret@mail.example.com',
      TASKFLOW_SCHEDULER_SMTP_AUTHORITY: 'no certificate',
      TASKFLOW_SCHEDULER_MAIL_SENDER: 'Task Flow <taskflow@example.com',
      TASKFLOW_SCHEDULER_MAIL_SITE_URL: 'tasks.example.com',
      TASKFLOW_SCHEDULER_MAIL_UNSUBSCRIBE_ADDRESS: 'stop@example.com?cc=eve@example.com,x',
    };
    const faults = faultsOf(wrong);
    expect(faults.map((fault) => fault.split(':')[0])).toEqual(Object.keys(wrong));
    expect(faults.join()).not.toContain('secret');
  });

  it('do not send a password where others can read it, and do not go into a folder in production', () => {
    const readable = { ...smtp, TASKFLOW_SCHEDULER_SMTP_STARTTLS: 'optional' };
    expect(faultsOf(readable)).toEqual([
      'TASKFLOW_SCHEDULER_SMTP_STARTTLS: must be required where the URL has a password',
    ]);
    expect(faultsOf({ ...readable, TASKFLOW_SCHEDULER_SMTP_URL: 'smtps://taskflow:secret@mail.example.com' })).toEqual(
      [],
    );
    expect(faultsOf({ ...readable, TASKFLOW_SCHEDULER_SMTP_URL: 'smtp://relay.example.com' })).toEqual([]);
    const folder = { TASKFLOW_MAIL: 'folder', TASKFLOW_SCHEDULER_MAIL_FOLDER: '/mails' };
    expect(faultsOf({ ...folder, TASKFLOW_ENV: 'production' })).toEqual([
      'TASKFLOW_MAIL: folder is for development, not for production',
    ]);
  });
});
