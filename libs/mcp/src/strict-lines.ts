import { Transform } from 'node:stream';
import { STDIO_DEFAULT_MAX_BUFFER_SIZE as maxBytes } from '@modelcontextprotocol/server';
import { checkParams, MessageFault, readMessage } from './read-message.ts';

const newline = 10;
const blank = /^\s*$/;

function isServed(line: Buffer, refuse: (fault: MessageFault) => void): boolean {
  try {
    checkParams(readMessage(line));
    return true;
  } catch (error) {
    if (!(error instanceof MessageFault)) throw error;
    refuse(error);
    return false;
  }
}

/** Lets those lines through that are messages; the SDK reads lines more kindly, or drops them without an answer. */
export function strictLines(refuse: (fault: MessageFault) => void): Transform {
  let rest: Buffer[] = [];
  let size = 0;
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      let start = 0;
      for (let end = chunk.indexOf(newline); end >= 0; end = chunk.indexOf(newline, start)) {
        const line = Buffer.concat([...rest, chunk.subarray(start, end + 1)]);
        [rest, size, start] = [[], 0, end + 1];
        if (!blank.test(line.toString('latin1')) && isServed(line, refuse)) this.push(line);
      }
      rest.push(chunk.subarray(start));
      size += chunk.length - start;
      done(size > maxBytes ? new Error(`a message has more than ${maxBytes} bytes`) : null);
    },
  });
}
