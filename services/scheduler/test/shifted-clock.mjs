// Preloaded by `--import`: the process believes that it is TASKFLOW_TEST_CLOCK_SHIFT_MS later.
const RealDate = Date;
const shiftMs = Number(process.env.TASKFLOW_TEST_CLOCK_SHIFT_MS);

class ShiftedDate extends RealDate {
  constructor(...parts) {
    if (parts.length === 0) super(RealDate.now() + shiftMs);
    else super(...parts);
  }

  static now() {
    return RealDate.now() + shiftMs;
  }
}

globalThis.Date = ShiftedDate;
