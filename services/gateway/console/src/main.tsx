import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import './styles/tokens.css';
import './styles/base.css';
import './styles/controls.css';
import './styles/overlays.css';
import './styles/auth.css';
import './styles/shell.css';
import './styles/tasks.css';
import './styles/panel.css';
import './styles/board.css';
import './styles/pages.css';
import { App } from './app.tsx';
import { session } from './api.ts';
import { applyTheme } from './shell/theme.ts';

// A release replaces the files of views that have not been loaded yet; the page of the new one has them.
addEventListener('vite:preloadError', () => location.reload());

applyTheme();
session.resume().catch(() => undefined);
const root = document.getElementById('root');
if (root !== null)
  createRoot(root).render(
    <StrictMode>
      <App />
    </StrictMode>,
  );
