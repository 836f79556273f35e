import { serve } from '#libs/runtime';
import { startApp } from './app.ts';
import { readConfig } from './config.ts';

await serve({ service: 'gateway', readConfig, start: startApp });
