/** The heading of a step that has just come: it takes the focus, so that a screen reader goes on there. */

import { useEffect, useRef, type ReactElement, type ReactNode } from "react";

export function StepTitle({ children }: { readonly children: ReactNode }): ReactElement {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => heading.current?.focus(), []);
  return (
    <h2 ref={heading} tabIndex={-1} style={{ outline: "none" }}>
      {children}
    </h2>
  );
}
