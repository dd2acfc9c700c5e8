import type { AnchorHTMLAttributes, MouseEvent } from 'react';
import { navigate } from '../app/router';

type Props = AnchorHTMLAttributes<HTMLAnchorElement> & { href: string };

/** A link within the page; opening it elsewhere (a new tab, say) stays the browser's. */
export function Link({ href, onClick, ...rest }: Props) {
  const follow = (event: MouseEvent<HTMLAnchorElement>) => {
    onClick?.(event);
    const elsewhere = event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey;
    if (event.defaultPrevented || elsewhere) return;
    event.preventDefault();
    navigate(href);
    scrollTo(0, 0);
  };
  return <a href={href} onClick={follow} {...rest} />;
}
