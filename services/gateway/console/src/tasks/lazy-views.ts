import { lazy } from 'react';

/** Parts of views that are fetched when they are first needed. */
export const Board = lazy(async () => ({ default: (await import('./board.tsx')).Board }));
export const TaskPanel = lazy(async () => ({ default: (await import('./panel.tsx')).TaskPanel }));
