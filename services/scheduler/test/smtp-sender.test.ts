import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { makeSelfSigned, startMailServer, type TestMailServer, type TestMailServerOptions } from '#dev/testing';
import { createSmtpSender, type SmtpOptions } from '../src/clients/smtp.client.ts';
import type { MailSender, OutgoingMail } from '../src/domain/mails/mail-sender.ts';

const stops: (() => unknown)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
});

async function startServer(options: TestMailServerOptions = {}): Promise<TestMailServer> {
  const server = await startMailServer(options);
  stops.push(() => server.stop());
  return server;
}

function openSender(server: Pick<TestMailServer, 'url' | 'authority'>, changes: Partial<SmtpOptions> = {}): MailSender {
  const sender = createSmtpSender({
    url: server.url,
    authority: server.authority,
    startTls: 'required',
    timeoutMs: 20_000,
    connections: 2,
    sender: { name: 'TaskFlow', address: 'taskflow@mail.example.com' },
    ...changes,
  });
  stops.push(() => sender.close());
  return sender;
}

const newMail = (changes: Partial<OutgoingMail> = {}): OutgoingMail => ({
  id: randomUUID(),
  to: { name: 'Ada', address: 'ada@example.com' },
  subject: 'Hello',
  text: 'Hello Ada\n.\nbye',
  html: '<p>Hello Ada</p>',
  unsubscribe: [],
  ...changes,
});

const never = new AbortController().signal;
const attempt = { beforeEnd: async () => undefined, signal: never };

describe('a mail', () => {
  it.each(['starttls', 'tls'] as const)('goes out over %s, signed in, with its own Message-ID', async (security) => {
    const server = await startServer({ security, credentials: { user: 'task@flow', password: 'p:/ss wörd' } });
    const mail = newMail({ unsubscribe: ['mailto:stop@example.com', 'https://example.com/settings'] });
    expect(await openSender(server).send(mail, attempt)).toMatchObject({ outcome: 'accepted', code: 250 });
    const [received] = server.accepted;
    expect(received).toMatchObject({
      messageId: `<${mail.id}@mail.example.com>`,
      recipients: ['ada@example.com'],
      from: '"TaskFlow" <taskflow@mail.example.com>',
      to: '"Ada" <ada@example.com>',
      subject: 'Hello',
    });
    expect(received?.text.trim()).toBe('Hello Ada\n.\nbye');
    expect(received?.headers.get('auto-submitted')).toBe('auto-generated');
    expect(received?.raw).toMatch(
      /^List-Unsubscribe: <mailto:stop@example.com>,\s+<https:\/\/example.com\/settings>\r$/m,
    );
  });

  it('cannot get a header of its own by a line break in a name or subject', async () => {
    const server = await startServer();
    const to = { name: 'Ada\r\nBcc: eve@example.com', address: 'ada@example.com' };
    await openSender(server).send(newMail({ to, subject: 'Hi\r\nBcc: eve@example.com\r\n\r\nbody' }), attempt);
    expect(server.accepted[0]?.recipients).toEqual(['ada@example.com']);
    expect(server.accepted[0]?.headers.has('bcc')).toBe(false);
  });

  it('shows a name and a subject that look encoded as they are, and decodes nothing in them', async () => {
    const server = await startServer();
    const text = '=?utf-8?q?=E2=80=AEevil=0D=0AX?=';
    await openSender(server).send(newMail({ to: { name: text, address: 'ada@example.com' }, subject: text }), attempt);
    const [received] = server.accepted;
    expect(received?.raw).not.toContain(text);
    const shown = text.replace('=?', '=\u2060?');
    expect([received?.subject, received?.to]).toEqual([shown, expect.stringContaining(shown)]);
  });
});

describe('the end of a mail', () => {
  it('is not written before it may be', async () => {
    const server = await startServer();
    const sending = Promise.withResolvers<void>();
    const mayEnd = Promise.withResolvers<void>();
    const answer = openSender(server).send(newMail(), {
      signal: never,
      beforeEnd: () => {
        sending.resolve();
        return mayEnd.promise;
      },
    });
    await sending.promise;
    expect(server.ended).toEqual([]);
    mayEnd.resolve();
    expect(await answer).toMatchObject({ outcome: 'accepted' });
  });

  it('is never written when the state could not be recorded', async () => {
    const server = await startServer();
    const failure = new Error('no database');
    const sender = openSender(server);
    const sent = sender.send(newMail(), { signal: never, beforeEnd: () => Promise.reject(failure) });
    await expect(sent).rejects.toBe(failure);
    await sender.send(newMail({ subject: 'another' }), attempt);
    expect(server.ended.map(({ subject }) => subject)).toEqual(['another']);
  });
});

describe('a server that says no', () => {
  it('to a recipient for now or for good is told apart', async () => {
    const server = await startServer();
    const sender = openSender(server);
    server.behave({ onRecipient: (_, count) => (count === 1 ? { code: 451, text: 'greylisted' } : undefined) });
    const mail = newMail();
    expect(await sender.send(mail, attempt)).toEqual({
      outcome: 'refused',
      code: 451,
      error: 'the mail server answered 451',
      isPermanent: false,
    });
    expect(await sender.send(mail, attempt)).toMatchObject({ outcome: 'accepted' });
    server.behave({ onRecipient: () => ({ code: 550, text: 'no such mailbox <ada@example.com>' }) });
    const refusal = await sender.send(mail, attempt);
    expect(refusal).toMatchObject({ outcome: 'refused', code: 550, isPermanent: true });
    expect(refusal.error).not.toContain('ada');
  });

  it('after the end of the mail has refused it, whatever was recorded before', async () => {
    const server = await startServer();
    server.behave({ onMessage: () => ({ code: 554, text: 'spam' }) });
    expect(await openSender(server).send(newMail(), attempt)).toMatchObject({
      outcome: 'refused',
      code: 554,
      isPermanent: true,
    });
  });
});

describe('a server in trouble', () => {
  it('that does not listen has not got the mail', async () => {
    const sender = openSender({ url: 'smtp://127.0.0.1:1', authority: makeSelfSigned().certificate });
    expect(await sender.send(newMail(), attempt)).toMatchObject({ outcome: 'unreachable', isPermanent: false });
  });

  it('that knows no TLS, or has the certificate of somebody else, gets no mail', async () => {
    const plain = await startServer({ security: 'none' });
    const { authority } = await startServer();
    expect(await openSender(plain).send(newMail(), attempt)).toMatchObject({ outcome: 'unreachable' });
    const stranger = { url: (await startServer()).url, authority };
    expect(await openSender(stranger).send(newMail(), attempt)).toMatchObject({ outcome: 'unreachable' });
    expect(await openSender(plain, { startTls: 'optional' }).send(newMail(), attempt)).toMatchObject({
      outcome: 'accepted',
    });
  });

  it('that takes the sign-in for wrong refuses no mail for good', async () => {
    const { url, authority } = await startServer({ credentials: { user: 'taskflow', password: 'right' } });
    const sender = openSender({ url: url.replace('right', 'wrong'), authority });
    expect(await sender.send(newMail(), attempt)).toMatchObject({
      outcome: 'unreachable',
      code: 535,
      isPermanent: false,
    });
  });

  it('that vanishes before the end has not got the mail', async () => {
    const server = await startServer();
    const beforeEnd = () => server.stop();
    const answer = await openSender(server).send(newMail(), { signal: never, beforeEnd });
    expect(answer.outcome).not.toBe('accepted');
    expect(server.ended).toEqual([]);
  });

  it('that vanishes after the end may have got it', async () => {
    const server = await startServer();
    server.behave({ onMessage: () => server.stop().then(() => undefined) });
    expect(await openSender(server).send(newMail(), attempt)).toMatchObject({ outcome: 'unknown' });
    expect(server.ended.length).toBe(1);
  });

  it('that says nothing is given up', async () => {
    const sockets: Socket[] = [];
    const silent = createServer((socket) => void sockets.push(socket)).listen(0, '127.0.0.1');
    await once(silent, 'listening');
    stops.push(() => {
      for (const socket of sockets) socket.destroy();
      silent.close();
    });
    const { port } = silent.address() as { port: number };
    const sender = openSender({ url: `smtp://127.0.0.1:${port}`, authority: '' }, { timeoutMs: 100 });
    expect(await sender.send(newMail(), attempt)).toMatchObject({ outcome: 'unreachable', code: undefined });
  });

  it('is left when the attempt is ended', async () => {
    const server = await startServer();
    const ending = new AbortController();
    server.behave({
      onMessage: () => {
        ending.abort(new Error('enough'));
        return new Promise(() => undefined);
      },
    });
    const sent = openSender(server).send(newMail(), { ...attempt, signal: ending.signal });
    expect(await sent).toMatchObject({ outcome: 'unknown' });
  });
});
