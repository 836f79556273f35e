// What a browser that has nothing of the console yet has to load.
import { ok } from 'node:assert/strict';
import type { Request } from 'playwright-core';
import { settle, type Visitor } from './browser-page.ts';
import { signIn, type Account } from './walks.ts';

const mostKib = 200;

/** All scripts until the tasks of somebody who signs in are shown, as they were sent. */
export async function checkFirstView(visitor: Visitor, account: Omit<Account, 'name'>): Promise<string[]> {
  const scripts = new Map<string, Request>();
  visitor.page.on('requestfinished', (request) => {
    if (request.url().endsWith('.js')) scripts.set(request.url(), request);
  });
  await signIn(visitor, account);
  await settle(visitor.page);
  let bytes = 0;
  for (const request of scripts.values()) {
    const encoding = await (await request.response())?.headerValue('content-encoding');
    ok(encoding === 'br', `${request.url()} is not packed, but ${encoding}`);
    bytes += (await request.sizes()).responseBodySize;
  }
  const kib = bytes / 1024;
  console.log(`the first view has ${kib.toFixed(1)} KiB of scripts`);
  ok(scripts.size > 0, 'no script was loaded');
  return kib < mostKib ? [] : [`the first view has ${kib.toFixed(1)} KiB of scripts; ${mostKib} are allowed`];
}
