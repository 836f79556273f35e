import { readFileSync } from 'node:fs';

/** The version and the commit of this program. */
export interface BuildInfo {
  version: string;
  /** The commit that it was built from (TASKFLOW_COMMIT); '' when that is unset. */
  commit: string;
}

export function readBuildInfo(env: NodeJS.ProcessEnv = process.env): BuildInfo {
  const { version } = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8')) as {
    version: string;
  };
  return { version, commit: env['TASKFLOW_COMMIT'] ?? '' };
}
