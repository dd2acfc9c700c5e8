import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { restore } from './api/session';
import { App } from './app/App';
import './styles/tokens.css';
import './styles/base.css';
import './styles/controls.css';
import './styles/shell.css';
import './styles/screens.css';
import './styles/imports.css';
import './styles/review.css';

const root = document.getElementById('root');
if (!root) throw new Error('index.html has no #root');

void restore();
createRoot(root).render(
  <StrictMode>
    <App />
  </StrictMode>,
);
