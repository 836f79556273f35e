/** One measured line: one scenario on one server at one number of calls in flight. */
export interface Row {
  readonly scenario: string;
  /** How much data there was: "100k". */
  readonly dataset: string;
  /** Who answered: the service, or a ceiling. */
  readonly server: string;
  readonly inFlight: number;
  readonly calls: number;
  /** Calls that did not end with OK, those that were refused excepted where that is an answer. */
  readonly failures: number;
  /** Answers that the server was busy (RESOURCE_EXHAUSTED), where the trial allows for it. */
  readonly refused: number;
  /** Failures by grpc-status. */
  readonly statuses: Readonly<Record<string, number>>;
  readonly firstFailure: string;
  readonly callsPerSecond: number;
  readonly p50Ms: number;
  readonly p95Ms: number;
  readonly p99Ms: number;
  readonly cpuMsPerCall: number;
  /** Of single processes, by name: "PostgreSQL". */
  readonly partsMsPerCall: Readonly<Record<string, number>>;
  /** Of the answers, on average. */
  readonly sizeBytes: number;
  /** Cores that the load generators used: 1 = one of them was busy all the time. */
  readonly generatorCores: number;
}

/** Two figures of one run, divided: these can be compared between runs and machines. */
export interface Ratio {
  readonly name: string;
  readonly dataset: string;
  readonly inFlight: number;
  /** The median of the rounds, and the smallest and largest of them. */
  readonly value: number;
  readonly low: number;
  readonly high: number;
  /** What it should be at most. */
  readonly aim?: number | undefined;
}

/** Anything else worth a line: a figure with its unit. */
export interface Figure {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  /** true: a larger value is wrong, and the run fails when it is not 0. */
  readonly mustBeZero?: boolean;
  /** What it should be. */
  readonly aim?: { readonly atMost: number } | { readonly atLeast: number } | undefined;
}

export interface Results {
  readonly rows: Row[];
  readonly ratios: Ratio[];
  readonly figures: Figure[];
}

export const createResults = (): Results => ({ rows: [], ratios: [], figures: [] });

export const isMissed = ({ value, aim }: Pick<Ratio | Figure, 'value' | 'aim'>): boolean => {
  if (aim === undefined) return false;
  if (typeof aim === 'number') return value > aim;
  return 'atMost' in aim ? value > aim.atMost : value < aim.atLeast;
};

/** Calls that failed, and figures that had to be zero and are not. */
export function countFailures({ rows, figures }: Results): number {
  const wrong = figures.filter(({ value, mustBeZero }) => mustBeZero === true && value !== 0);
  return rows.reduce((sum, row) => sum + row.failures, 0) + wrong.length;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  if (sorted.length === 0) return 0;
  return sorted.length % 2 === 1 ? (sorted[middle] ?? 0) : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2;
}

/** The ratio of two series that were measured in turn. */
export function toRatio(
  about: Omit<Ratio, 'value' | 'low' | 'high'>,
  over: readonly number[],
  under: readonly number[],
): Ratio {
  const values = over.map((value, index) => value / (under[index] ?? 0)).filter(Number.isFinite);
  return { ...about, value: median(values), low: Math.min(...values), high: Math.max(...values) };
}
