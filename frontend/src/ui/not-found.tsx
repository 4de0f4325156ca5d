/** Says that there is nothing at this address, below the way back to where such things are listed. */

import { Button } from "@mantine/core";
import type { ReactElement, ReactNode } from "react";
import { Link } from "react-router";

import { NothingFound } from "./list-states";
import { PageBar } from "./page-bar";

interface Props {
  readonly title: string;
  readonly text: ReactNode;
  readonly back: { readonly to: string; readonly text: string };
  readonly action: string;
}

export function NotFound({ title, text, back, action }: Props): ReactElement {
  return (
    <>
      <PageBar before={<Link to={back.to}>{back.text}</Link>} title={title} />
      <NothingFound
        action={
          <Button component={Link} to={back.to}>
            {action}
          </Button>
        }>
        {text}
      </NothingFound>
    </>
  );
}
