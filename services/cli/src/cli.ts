import { connectTo, findTarget, type Target } from './connection/connect.ts';
import { findProfile, type Profile } from './connection/profiles.ts';
import { openSecrets, type Secrets } from './connection/secrets.ts';
import { createOutput, type Output } from './output/output.ts';
import { UsageError } from './faults.ts';
import type { Connection } from '#client/index';
import { openTaskFlow, type TaskFlow } from '#client/taskflow';

/** Options that every command has. */
export interface GlobalOptions {
  profile?: string;
  json?: boolean;
}

/** What a command works with. */
export interface Cli {
  readonly profileName: string;
  readonly profile: Profile;
  readonly secrets: Secrets;
  readonly target: Target;
  readonly out: Output;
  /** Fires on Ctrl-C. */
  readonly signal: AbortSignal;
  /** Of days and times that users type and read. */
  readonly zone: string;
  /** Without credentials. */
  readonly connection: Connection;
  /** As whoever is signed in. The services refuse when nobody is. */
  readonly taskflow: TaskFlow;
  close(): void;
}

const systemZone = (): string => Intl.DateTimeFormat().resolvedOptions().timeZone;

/** TASKFLOW_TOKEN stands before what a login has kept. */
function openAs(connection: Connection, secrets: Secrets): TaskFlow {
  const personalToken = process.env['TASKFLOW_TOKEN'] || secrets.personalToken();
  return personalToken === undefined
    ? openTaskFlow(connection, { store: secrets.session })
    : openWithToken(connection, personalToken);
}

/** Throws UsageError for what cannot be a token, without telling it. */
export function openWithToken(connection: Connection, personalToken: string): TaskFlow {
  try {
    return openTaskFlow(connection, { personalToken });
  } catch (error) {
    if (error instanceof TypeError) throw new UsageError(error.message);
    throw error;
  }
}

export function openCli({ profile: asked, json = false }: GlobalOptions, signal: AbortSignal): Cli {
  const { name: profileName, profile } = findProfile(asked);
  const secrets = openSecrets(profileName, profile);
  let connection: Connection | undefined;
  let taskflow: TaskFlow | undefined;
  return {
    profileName,
    profile,
    secrets,
    get target() {
      return findTarget(profile);
    },
    out: createOutput(json),
    signal,
    zone: profile.timeZone ?? systemZone(),
    get connection() {
      return (connection ??= connectTo(findTarget(profile)));
    },
    get taskflow() {
      return (taskflow ??= openAs(this.connection, secrets));
    },
    close: () => connection?.close(),
  };
}
