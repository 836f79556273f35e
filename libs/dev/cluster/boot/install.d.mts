import type { ChildProcess } from 'node:child_process';

/** Changes whenever an install of this package.json and lockfile could come out differently. */
export function stampOf(root: string): string;

/** Whether node_modules carries the stamp of the present lockfile. */
export function isInstalled(root: string): boolean;

/** Whether an install by hand left in node_modules what the lockfile says. */
export function matchesLockfile(root: string): boolean;

/** The pinned Node that really runs here, or the reason why there is none. */
export function findPinnedNode(
  root: string,
): { path: string; reason?: undefined } | { path?: undefined; reason: string };

/** Runs `npm ci` when node_modules is not what the lockfile says. Several processes may call it at once. */
export function ensureInstalled(
  root: string,
  say: (line: string) => void,
  onChild?: (child: ChildProcess) => void,
): Promise<void>;
