"""A complete voice desk in your own Chainlit app: `chainlit run app.py`, press P and talk."""

import chainlit as cl

from helpline import RealtimeClient
from helpline.errors import HelplineError
from helpline.tools import tools

PROMPT = "You are the voice of a shop's customer service. Short sentences, one question at a time."


async def setup() -> RealtimeClient:
    """One client per visitor, its events wired to this page."""
    client = RealtimeClient(system_prompt=PROMPT)
    page = cl.context

    async def updated(event: dict) -> None:
        if audio := event["delta"].get("audio"):
            chunk = cl.OutputAudioChunk(mimeType="pcm16", data=audio, track=event["track"])
            await page.emitter.send_audio_chunk(chunk)

    async def completed(event: dict) -> None:
        item = event["item"]
        if item["type"] == "function_call":
            async with cl.Step(name=item["name"], type="tool") as step:
                step.input = item["arguments"]
        elif item["type"] == "receipt":
            await cl.Message(content=f"Receipt {item['receipt'].reference}").send()
        elif item["role"] == "assistant":
            await cl.Message(content=item["formatted"]["transcript"]).send()

    async def heard(event: dict) -> None:
        words = event["delta"]["transcript"]
        await cl.Message(author="You", type="user_message", content=words).send()

    client.on("conversation.updated", updated)
    client.on("conversation.interrupted", lambda event: page.emitter.send_audio_interrupt())
    client.on("conversation.item.completed", completed)
    client.on("conversation.item.input_audio_transcription.completed", heard)
    client.on("error", lambda event: cl.ErrorMessage(content=event["message"]).send())
    for definition, handler in tools:
        await client.add_tool(definition, handler)
    return client


@cl.on_chat_start
async def start() -> None:
    cl.user_session.set("client", await setup())
    await cl.Message(content="Hi, welcome to ShopMe. How can I help you? Press `P` to talk!").send()


@cl.on_audio_start
async def connect(voice: bool = True) -> bool:
    try:
        return await cl.user_session.get("client").connect(voice=voice)
    except HelplineError as error:
        await cl.ErrorMessage(content=str(error)).send()
        return False


@cl.on_message
async def write(message: cl.Message) -> None:
    if await connect(voice=False):
        content = [{"type": "input_text", "text": message.content}]
        await cl.user_session.get("client").send_user_message_content(content)


@cl.on_audio_chunk
async def speak(chunk: cl.InputAudioChunk) -> None:
    await cl.user_session.get("client").append_input_audio(chunk.data)


@cl.on_audio_end
@cl.on_chat_end
async def stop() -> None:
    if client := cl.user_session.get("client"):
        await client.disconnect()
