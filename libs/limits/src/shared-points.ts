import type { Store } from '#libs/redis';
import { batchPerTurn, steadyNow } from '#libs/runtime';

/** How many points a window has, and how long it lasts from the first one taken. */
export interface WindowSize {
  points: number;
  seconds: number;
}

/** What one call got. */
export interface Taken {
  /** Whether there was a point for the call. */
  granted: boolean;
  /** Points beyond that one, to be used before `endsAt`. Never more than were wanted; fewer when few are left. */
  inAdvance: number;
  /** How long the window still lasts, by the clock of Redis. */
  leftMs: number;
  /** When it ends at the earliest, by `steadyNow`. */
  endsAt: number;
}

/** Points that all replicas take from the same windows, in Redis. */
export interface SharedPoints {
  /**
   * Takes a point from the window of a key, and more in advance. What is asked in one turn of the event loop is one
   * round trip. Rejects with StoreUnavailable.
   */
  take(key: string, size: WindowSize, wantedInAdvance: number): Promise<Taken>;
}

/** So much of what is left in a window may be taken in advance at most. */
const advanceDivisor = 10;

// For each key: points of the window, its seconds, points needed now, points wanted in advance. The answer has, for each
// key, how many points were taken and how long the window still lasts.
const takeText = `
local answers = {}
for index, key in ipairs(KEYS) do
  local first = 4 * (index - 1)
  local taken = tonumber(redis.call('get', key) or '0')
  local left = math.max(0, tonumber(ARGV[first + 1]) - taken)
  local granted = math.min(left, tonumber(ARGV[first + 3]))
  granted = granted + math.min(tonumber(ARGV[first + 4]), math.floor((left - granted) / ${advanceDivisor}))
  local leftMs = redis.call('pttl', key)
  if leftMs < 0 then
    leftMs = 1000 * tonumber(ARGV[first + 2])
    redis.call('set', key, taken + granted, 'px', leftMs)
  elseif granted > 0 then
    redis.call('incrby', key, granted)
  end
  answers[2 * index - 1] = granted
  answers[2 * index] = leftMs
end
return answers
`;

interface Question {
  key: string;
  size: WindowSize;
  wantedInAdvance: number;
}

/** The questions of one turn about one key, and the answer to them. */
interface KeyState {
  size: WindowSize;
  needed: number;
  wantedInAdvance: number;
  granted: number;
  leftMs: number;
}

function groupByKey(questions: readonly Question[]): Map<string, KeyState> {
  const states = new Map<string, KeyState>();
  for (const { key, size, wantedInAdvance } of questions) {
    const state = states.get(key) ?? { size, needed: 0, wantedInAdvance: 0, granted: 0, leftMs: 0 };
    state.needed += 1;
    state.wantedInAdvance += wantedInAdvance;
    states.set(key, state);
  }
  return states;
}

/** The calls get the points in the order in which they asked. */
function toTaken(questions: readonly Question[], states: ReadonlyMap<string, KeyState>, askedAt: number): Taken[] {
  const served = new Map<string, number>();
  return questions.map(({ key, wantedInAdvance }) => {
    const { needed, granted, leftMs } = states.get(key) as KeyState;
    const place = served.get(key) ?? 0;
    served.set(key, place + 1);
    return {
      granted: place < granted,
      inAdvance: wantedInAdvance === 0 ? 0 : Math.max(0, granted - needed),
      leftMs,
      endsAt: askedAt + leftMs,
    };
  });
}

interface TakePoints {
  takePoints(keyCount: number, ...keysAndArguments: (string | number)[]): Promise<number[]>;
}

export function createSharedPoints(store: Store): SharedPoints {
  store.redis.defineCommand('takePoints', { lua: takeText });
  const redis = store.redis as unknown as TakePoints;

  const ask = batchPerTurn(async (questions: readonly Question[]) => {
    const states = groupByKey(questions);
    const settings = [...states.values()].flatMap(({ size, needed, wantedInAdvance }) => [
      size.points,
      size.seconds,
      needed,
      wantedInAdvance,
    ]);
    const askedAt = steadyNow();
    const answers = await store.ask(() => redis.takePoints(states.size, ...states.keys(), ...settings));
    [...states.values()].forEach((state, index) => {
      [state.granted = 0, state.leftMs = 0] = answers.slice(2 * index);
    });
    return toTaken(questions, states, askedAt);
  });

  return { take: (key, size, wantedInAdvance) => ask({ key, size, wantedInAdvance }) };
}
