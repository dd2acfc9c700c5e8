import type { ReactNode } from 'react';
import { Logo } from '../ui/Icon';

/** The frame of the pages shown before one is signed in. */
export function Welcome({ title, children }: { title: string; children: ReactNode }) {
  return (
    <div className="welcome">
      <aside className="welcome-side" aria-hidden="true">
        <p className="welcome-line">Seu dinheiro, organizado. Seu tempo, valorizado.</p>
        <svg viewBox="0 0 400 160" className="welcome-art" preserveAspectRatio="none">
          <path d="M0 130C50 120 70 90 115 98s60 26 105-6 60-50 95-44 50-28 85-38" fill="none" stroke="currentColor" strokeWidth="3" vectorEffect="non-scaling-stroke" />
          <path d="M0 130C50 120 70 90 115 98s60 26 105-6 60-50 95-44 50-28 85-38V160H0z" fill="currentColor" opacity=".14" />
        </svg>
      </aside>
      <main className="welcome-main">
        <div className="welcome-card">
          <p className="brand">
            <Logo size={36} /> <span>valoriza</span>
          </p>
          <h1>{title}</h1>
          {children}
        </div>
      </main>
    </div>
  );
}
