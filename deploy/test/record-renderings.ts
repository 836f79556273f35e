/**
 * Records what kubectl makes of the overlays, for tests on machines without it. With --check it only compares, and
 * exits with 1 when something else is recorded.
 */
import { readRecord, renderForRecord, renderings, writeRecord } from './render.ts';

const checkOnly = process.argv.includes('--check');
const faults: string[] = [];
for (const name of renderings) {
  const rendered = renderForRecord(name);
  if (!checkOnly) writeRecord(name, rendered);
  else if (rendered !== readRecord(name)) faults.push(name);
}
if (faults.length > 0) {
  process.stderr.write(`not recorded as kubectl renders them: ${faults.join(', ')}. Run npm run manifests:record\n`);
  process.exitCode = 1;
}
