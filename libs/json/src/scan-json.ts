/** Where something stands in a JSON text: names of members and positions of elements, from the outside. */
export type JsonPath = readonly (string | number)[];

export interface JsonScan {
  /** Where members are there for the second time. */
  repeated: JsonPath[];
  /** It has numbers that JSON.parse rounds, or of which it does not say how they are written. */
  hasOddNumbers: boolean;
  /** It is nested more deeply than a message can be. */
  isTooDeep: boolean;
}

interface Frame {
  /** The names so far; undefined in an array. */
  names: Set<string> | undefined;
  /** Where we are: the name of the member or the position of the element. */
  at: string | number;
  expectsName: boolean;
}

const tokens = /"[^"\\]*(?:\\.[^"\\]*)*"|[{}[\],]|-?\d[\d.eE+-]*/gs;
const plainWhole = /^-?\d{1,15}$/;

/** As deep as protobuf lets binary messages be. */
const maxDepth = 100;
/** More than anybody reads. */
const maxRepeated = 100;

function readName(token: string): string {
  try {
    return JSON.parse(token) as string;
  } catch {
    return token;
  }
}

/** For valid JSON. Finds members that are there twice, of which JSON.parse keeps the last, and numbers that it rounds. */
export function scanJson(text: string): JsonScan {
  const frames: Frame[] = [];
  const repeated: JsonPath[] = [];
  let hasOddNumbers = false;
  const enterName = (frame: Frame, names: Set<string>, token: string): void => {
    frame.expectsName = false;
    frame.at = readName(token);
    if (names.has(frame.at) && repeated.length < maxRepeated) repeated.push(frames.map(({ at }) => at));
    names.add(frame.at);
  };
  const goOn = (frame: Frame | undefined): void => {
    if (frame === undefined) return;
    if (frame.names === undefined) frame.at = Number(frame.at) + 1;
    else frame.expectsName = true;
  };
  const readValue = (frame: Frame | undefined, token: string): void => {
    if (token.startsWith('"')) {
      if (frame?.names !== undefined && frame.expectsName) enterName(frame, frame.names, token);
    } else hasOddNumbers ||= !plainWhole.test(token);
  };
  for (const [token] of text.matchAll(tokens)) {
    if (token === '{') frames.push({ names: new Set(), at: '', expectsName: true });
    else if (token === '[') frames.push({ names: undefined, at: 0, expectsName: false });
    else if (token === '}' || token === ']') frames.pop();
    else if (token === ',') goOn(frames.at(-1));
    else readValue(frames.at(-1), token);
    if (frames.length > maxDepth) return { repeated, hasOddNumbers, isTooDeep: true };
  }
  return { repeated, hasOddNumbers, isTooDeep: false };
}
