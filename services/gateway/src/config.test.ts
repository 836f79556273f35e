import { describe, expect, it } from '@jest/globals';
import { readConfig } from './config.ts';

const corsOf = (origins: string): readonly string[] =>
  readConfig({ TASKFLOW_GATEWAY_CORS_ORIGINS: origins }).corsOrigins;

describe('TASKFLOW_GATEWAY_CORS_ORIGINS', () => {
  it('takes origins, or every one', () => {
    expect(corsOf('https://a.example.com,http://localhost:5173')).toEqual([
      'https://a.example.com',
      'http://localhost:5173',
    ]);
    expect(corsOf('*')).toEqual(['*']);
  });

  it.each(['https://*.example.com', 'app.example.com', 'https://a.example.com/', 'null'])(
    'refuses %s, which no browser sends',
    (origins) => {
      expect(() => corsOf(origins)).toThrow('must list origins');
    },
  );
});
