import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type * as Keyring from '@napi-rs/keyring';
import { webTokenStore, type TokenStore, type WebStorage } from '#client/index';
import { fileTokenStore } from '#client/node';
import { sessionsFolder, type Profile } from './profiles.ts';

/** Where a profile keeps what proves who calls: a session's tokens, or a personal token in their place. */
export interface Secrets {
  readonly place: 'keyring' | 'file';
  readonly session: TokenStore;
  personalToken(): string | undefined;
  keepPersonalToken(token: string): void;
  forgetPersonalToken(): void;
  clear(): Promise<void>;
}

const service = 'taskflow';

/** The keyring of the system. Loaded only when it is used, since it is native code. */
function keyringStorage(): WebStorage {
  const { Entry } = createRequire(import.meta.url)('@napi-rs/keyring') as typeof Keyring;
  return {
    getItem: (key) => new Entry(service, key).getPassword(),
    setItem: (key, value) => new Entry(service, key).setPassword(value),
    removeItem: (key) => void new Entry(service, key).deletePassword(),
  };
}

function keyringSecrets(name: string): Secrets {
  const storage = keyringStorage();
  const session = webTokenStore(storage, name);
  const key = `${name} token`;
  const forgetPersonalToken = (): void => storage.removeItem(key);
  return {
    place: 'keyring',
    session,
    personalToken: () => storage.getItem(key) ?? undefined,
    keepPersonalToken: (token) => storage.setItem(key, token),
    forgetPersonalToken,
    clear: async () => {
      await session.clear();
      forgetPersonalToken();
    },
  };
}

function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

function fileSecrets(name: string): Secrets {
  const session = fileTokenStore(join(sessionsFolder, `${name}.json`));
  const file = join(sessionsFolder, `${name}.token`);
  const forgetPersonalToken = (): void => rmSync(file, { force: true });
  return {
    place: 'file',
    session,
    personalToken: () => readIfThere(file),
    keepPersonalToken: (token) => {
      mkdirSync(sessionsFolder, { recursive: true, mode: 0o700 });
      // The mode counts only for a new file.
      forgetPersonalToken();
      writeFileSync(file, `${token}\n`, { mode: 0o600 });
    },
    forgetPersonalToken,
    clear: async () => {
      await session.clear();
      forgetPersonalToken();
    },
  };
}

export function openSecrets(name: string, { store = 'file' }: Profile): Secrets {
  return store === 'keyring' ? keyringSecrets(name) : fileSecrets(name);
}

/** For a new login: the system's keyring when it takes secrets, else files that only their owner may read. */
export function chooseSecrets(name: string): Secrets {
  if (process.env['TASKFLOW_KEYRING'] === 'off') return fileSecrets(name);
  try {
    const storage = keyringStorage();
    const probe = `${name} probe`;
    storage.setItem(probe, 'probe');
    storage.removeItem(probe);
    return keyringSecrets(name);
  } catch {
    return fileSecrets(name);
  }
}
