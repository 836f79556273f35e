/**
 * Writes everything in this folder that is generated: manifests from the contract and from the table of sizes, and what
 * Grafana and the Prometheus operator read from alerts.yml and dashboards.ts.
 *
 *   npm run manifests [-- DIRECTORY]     instead of this folder, one with the same parts
 */
import { takeFolder } from '../libs/runtime/command-line/command-line.mjs';
import { generateManifests } from './kubernetes/generate.ts';
import { generateObservability } from './observability/generate.ts';

const directory =
  takeFolder('manifests', ['kubernetes', 'scaling.md', 'observability/alerts.yml']) ?? import.meta.dirname;
generateManifests(directory);
generateObservability(directory);
