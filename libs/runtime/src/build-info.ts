import { readFileSync } from 'node:fs';

/** Which program this is. */
export interface BuildInfo {
  version: string;
  /** The commit that it was built from, as TASKFLOW_COMMIT tells; '' when nobody told. */
  commit: string;
}

export function readBuildInfo(env: NodeJS.ProcessEnv = process.env): BuildInfo {
  const { version } = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8')) as { version: string };
  return { version, commit: env['TASKFLOW_COMMIT'] ?? '' };
}
