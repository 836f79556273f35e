import { execFileSync } from 'node:child_process';
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { checkoutRoot } from '../src/instance.ts';

/** A PATH on which grpcurl is found: the real one, or the stand-in, which is put into the folder. */
export function pathWithGrpcurl(folder: string): string {
  try {
    execFileSync('grpcurl', ['--version'], { stdio: 'ignore' });
  } catch {
    const file = join(folder, 'grpcurl');
    writeFileSync(
      file,
      `#!/bin/sh\nexec "${process.execPath}" "${join(checkoutRoot, 'libs/dev/cluster/test/grpcurl.ts')}" "$@"\n`,
    );
    chmodSync(file, 0o755);
  }
  return `${folder}:${process.env['PATH']}`;
}
