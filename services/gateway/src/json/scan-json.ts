/** Where something stands in a JSON text: names of members and positions of elements, from the outside. */
export type JsonPath = readonly (string | number)[];

/** Something that JSON.parse passes over in silence. */
export interface JsonFinding {
  path: JsonPath;
  what: 'repeated' | 'inexact';
}

export interface JsonScan {
  findings: JsonFinding[];
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
const whole = /^-?\d+$/;

/** As deep as protobuf lets binary messages be. */
const maxDepth = 100;
/** More than anybody reads. */
const maxFindings = 100;

function readName(token: string): string {
  try {
    return JSON.parse(token) as string;
  } catch {
    return token;
  }
}

/** For valid JSON. Finds members that are there twice, of which JSON.parse keeps the last, and whole numbers that it rounds. */
export function scanJson(text: string): JsonScan {
  const frames: Frame[] = [];
  const findings: JsonFinding[] = [];
  const note = (what: JsonFinding['what']): void => {
    if (findings.length < maxFindings) findings.push({ path: frames.map(({ at }) => at), what });
  };
  const enterName = (frame: Frame, names: Set<string>, token: string): void => {
    frame.expectsName = false;
    frame.at = readName(token);
    if (names.has(frame.at)) note('repeated');
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
    } else if (whole.test(token) && !Number.isSafeInteger(Number(token))) note('inexact');
  };
  for (const [token] of text.matchAll(tokens)) {
    if (token === '{') frames.push({ names: new Set(), at: '', expectsName: true });
    else if (token === '[') frames.push({ names: undefined, at: 0, expectsName: false });
    else if (token === '}' || token === ']') frames.pop();
    else if (token === ',') goOn(frames.at(-1));
    else readValue(frames.at(-1), token);
    if (frames.length > maxDepth) return { findings, isTooDeep: true };
  }
  return { findings, isTooDeep: false };
}
