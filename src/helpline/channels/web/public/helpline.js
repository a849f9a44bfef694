// The desk's half of the page: mends Chainlit's voice, draws cards, shows what the desk is doing.
// Runs before Chainlit's bundle (module scripts run in the order in which they stand in the document).
import { drawCard } from "./cards.js";
import { onDesk, openMailbox } from "./mailbox.js";
import { showHistory } from "./account.js";
import { showDesk, showElsewhere, showPace, showState } from "./bar.js";
import { freeTheKeyboard, nameControls } from "./names.js";
import { showPush } from "./push.js";
import { mendVoice } from "./voice.js";

openMailbox();
mendVoice();
nameControls();
freeTheKeyboard();
onDesk("card", ({ id, card }) => drawCard(id, card));
onDesk("state", showState);
onDesk("desk", (desk) => {
  showDesk(desk);
  showPush(desk);
});
onDesk("elsewhere", showElsewhere);
onDesk("history", showHistory);
onDesk("pace", showPace);
