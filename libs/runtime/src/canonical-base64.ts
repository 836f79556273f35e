/**
 * Decodes padded base64 or unpadded base64url. Undefined for every text but the one that encoding the bytes gives. Node
 * ignores spaces, foreign characters and the unused bits of the last character, and accepts both alphabets, so a sealed
 * or signed value would have many spellings.
 */
export function decodeCanonical(text: string, encoding: 'base64' | 'base64url'): Buffer | undefined {
  const bytes = Buffer.from(text, encoding);
  return bytes.toString(encoding) === text ? bytes : undefined;
}
