/** Init without a sandbox around it, for tests of what speaks with it: descriptor 3 is the link. */
import { Socket } from "node:net";
import { serve } from "./serve.ts";

serve(new Socket({ fd: 3 }));
