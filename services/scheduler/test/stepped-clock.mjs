// Preloaded by `--import`: the process believes that it is as many milliseconds later as the file TASKFLOW_TEST_CLOCK_FILE
// says, which may change while it runs. What was read is written to a second file.
import { readFileSync, writeFileSync } from 'node:fs';

const file = process.env.TASKFLOW_TEST_CLOCK_FILE;
const RealDate = Date;
let shiftMs = 0;
let seen;

function look() {
  const text = readFileSync(file, 'utf8');
  if (text === seen || text === '') return;
  seen = text;
  shiftMs = Number(text);
  writeFileSync(`${file}.seen`, text);
}

class SteppedDate extends RealDate {
  constructor(...parts) {
    if (parts.length === 0) super(RealDate.now() + shiftMs);
    else super(...parts);
  }

  static now() {
    return RealDate.now() + shiftMs;
  }
}

look();
setInterval(look, 20).unref();
globalThis.Date = SteppedDate;
