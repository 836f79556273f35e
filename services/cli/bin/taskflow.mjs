#!/usr/bin/env node
// `npx taskflow …` in the tree, or a link to this file in a folder of PATH: the same as `npm run taskflow -- …`.
process.argv.splice(2, 0, 'taskflow');
await import('../../../libs/dev/cluster/bin/boot.mjs');
