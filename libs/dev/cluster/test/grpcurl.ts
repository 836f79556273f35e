// Stands in for grpcurl where it is not installed: carries the same call out with buf, also through reflection.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { ErrorInfo } from '#google/rpc/error_details';
import { checkoutRoot } from '../src/instance.ts';

const { values, positionals } = parseArgs({
  // grpcurl writes -plaintext with one dash, which would be read as single letters.
  args: process.argv.slice(2).map((argument) => (argument === '-plaintext' ? '--plaintext' : argument)),
  options: {
    plaintext: { type: 'boolean' },
    header: { type: 'string', short: 'H', multiple: true, default: [] },
    data: { type: 'string', short: 'd', default: '{}' },
  },
  allowPositionals: true,
});
const [address = '', verb = ''] = positionals;
const common = ['curl', '--protocol', 'grpc', '--http2-prior-knowledge'];
const headers = values.header.flatMap((header) => ['-H', header]);
const action =
  verb === 'list' ? ['--list-services', `http://${address}`] : ['-d', values.data, `http://${address}/${verb}`];
const stdio = ['inherit', 'inherit', 'pipe'] as const;
const { status, stderr } = spawnSync(join(checkoutRoot, 'node_modules/.bin/buf'), [...common, ...headers, ...action], {
  stdio: [...stdio],
});
process.stderr.write(stderr);
process.stderr.write(describeReason(stderr.toString()));
process.exitCode = status ?? 1;

/** buf leaves the details encoded; grpcurl shows them. */
function describeReason(text: string): string {
  const encoded = /"type":\s*"google\.rpc\.ErrorInfo",\s*"value":\s*"([^"]+)"/.exec(text)?.[1];
  return encoded === undefined ? '' : `${JSON.stringify(ErrorInfo.decode(Buffer.from(encoded, 'base64')))}\n`;
}
