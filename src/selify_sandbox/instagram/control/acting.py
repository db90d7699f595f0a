"""Acting in the world: everything a shopper does, and what the brand's people do in the app."""

from typing import Annotated, Any

from fastapi import APIRouter, File, Form, Request, UploadFile

from selify.core.errors import BadRequest
from selify_sandbox.instagram.access import world_of
from selify_sandbox.instagram.control.building import Upload, save_upload
from selify_sandbox.instagram.control.schemas import (
    Edit,
    IceBreaker,
    Like,
    Link,
    NewComment,
    NewMessage,
    OneAccount,
    OneMessage,
    OwnerComment,
    OwnerMessage,
    Reaction,
    Relation,
    Share,
    StoryReply,
    Tap,
)
from selify_sandbox.instagram.people import shopper, threads
from selify_sandbox.instagram.people.comments import add_comment
from selify_sandbox.instagram.state.bodies import Body
from selify_sandbox.instagram.state.store import Tx

router = APIRouter(prefix="/sandbox/api", tags=["acts"])
Json = dict[str, Any]


@router.post("/shoppers/{person}/comments", status_code=201)
async def comment(request: Request, person: str, new: NewComment) -> Json:
    """Comment under a post."""
    world = world_of(request)
    comment_id = await world.store.run(
        lambda tx: shopper.comment(world, tx, person, new.post, new.text, new.parent)
    )
    return {"id": comment_id}


@router.post("/shoppers/{person}/likes", status_code=204)
async def like(request: Request, person: str, new: Like) -> None:
    """Like a post."""
    await world_of(request).store.run(shopper.like, person, new.post, new.on)


@router.post("/shoppers/{person}/messages", status_code=201)
async def write(request: Request, person: str, new: NewMessage) -> Json:
    """Send a text."""
    world = world_of(request)

    def act(tx: Tx) -> Json:
        row = shopper.write(world, tx, person, new.account, new.text, new.reply_to, new.ref)
        return threads.show_message(world, tx, row)

    return await world.store.run(act)


@router.post("/shoppers/{person}/photos", status_code=201)
async def send_photos(
    request: Request,
    person: str,
    account: Annotated[str, Form()],
    files: Annotated[list[UploadFile], File(min_length=1, max_length=10)],
    kind: Annotated[str, Form(pattern="^(image|video|audio|file)$")] = "image",
    text: Annotated[str, Form(max_length=1000)] = "",
) -> list[Json]:
    """Send photos, byte for byte; a text beside them becomes a second message."""
    world = world_of(request)
    saved = [await save_upload(world, upload) for upload in files]

    def act(tx: Tx) -> list[Json]:
        rows = shopper.send_files(world, tx, person, account, saved, kind, text)
        return [threads.show_message(world, tx, row) for row in rows]

    return await world.store.run(act)


@router.post("/shoppers/{person}/tap", status_code=201)
async def tap(request: Request, person: str, new: Tap) -> Json:
    """Tap a quick reply or a template button."""
    world = world_of(request)

    def act(tx: Tx) -> Json:
        row = shopper.tap(world, tx, person, new.mid, new.payload, new.title)
        return threads.show_message(world, tx, row)

    return await world.store.run(act)


@router.post("/shoppers/{person}/reactions", status_code=204)
async def react(request: Request, person: str, new: Reaction) -> None:
    """React to a message."""
    world = world_of(request)
    await world.store.run(lambda tx: shopper.react(world, tx, person, new.mid, new.emoji))


@router.post("/shoppers/{person}/edit", status_code=204)
async def edit(request: Request, person: str, new: Edit) -> None:
    """Edit a text message."""
    world = world_of(request)
    await world.store.run(lambda tx: shopper.edit(world, tx, person, new.mid, new.text))


@router.post("/shoppers/{person}/unsend", status_code=204)
async def unsend(request: Request, person: str, new: OneMessage) -> None:
    """Take a message back."""
    world = world_of(request)
    await world.store.run(lambda tx: shopper.unsend(world, tx, person, new.mid))


@router.post("/shoppers/{person}/seen", status_code=204)
async def seen(request: Request, person: str, new: OneAccount) -> None:
    """Open the conversation and read what is there."""
    world = world_of(request)
    await world.store.run(lambda tx: shopper.look(world, tx, person, new.account))


@router.post("/shoppers/{person}/accept", status_code=204)
async def accept(request: Request, person: str, new: OneAccount) -> None:
    """Accept a message request."""
    world = world_of(request)
    await world.store.run(
        lambda tx: shopper.accept(tx, shopper.meet(world, tx, person, new.account))
    )


@router.post("/shoppers/{person}/relation", status_code=204)
async def relate(request: Request, person: str, new: Relation) -> None:
    """Follow, unfollow, block, unblock."""
    world = world_of(request)

    def act(tx: Tx) -> None:
        thread = shopper.meet(world, tx, person, new.account)
        shopper.relate(tx, thread, new.follows, new.blocked)

    await world.store.run(act)


@router.post("/shoppers/{person}/share", status_code=201)
async def share(request: Request, person: str, new: Share) -> Json:
    """Send a post into the conversation."""
    world = world_of(request)

    def act(tx: Tx) -> Json:
        row = shopper.share_post(world, tx, person, new.account, new.post)
        return threads.show_message(world, tx, row)

    return await world.store.run(act)


@router.post("/shoppers/{person}/story-mention", status_code=201)
async def story_mention(
    request: Request, person: str, account: Annotated[str, Form()], picture: Upload
) -> Json:
    """Name the account in one's own story."""
    world = world_of(request)
    file_id = await save_upload(world, picture)

    def act(tx: Tx) -> Json:
        row = shopper.mention_in_story(world, tx, person, account, file_id)
        return threads.show_message(world, tx, row)

    return await world.store.run(act)


@router.post("/shoppers/{person}/story-reply", status_code=201)
async def story_reply(request: Request, person: str, new: StoryReply) -> Json:
    """Answer a story."""
    world = world_of(request)

    def act(tx: Tx) -> Json:
        row = shopper.reply_to_story(world, tx, person, new.account, new.post, new.text)
        return threads.show_message(world, tx, row)

    return await world.store.run(act)


@router.post("/shoppers/{person}/link", status_code=204)
async def come_by_link(request: Request, person: str, new: Link) -> None:
    """Come by an ig.me link."""
    world = world_of(request)
    await world.store.run(lambda tx: shopper.open_by_link(world, tx, person, new.account, new.ref))


@router.post("/shoppers/{person}/ice-breaker", status_code=201)
async def break_ice(request: Request, person: str, new: IceBreaker) -> Json:
    """Tap an ice breaker."""
    world = world_of(request)

    def act(tx: Tx) -> Json:
        row = shopper.break_ice(world, tx, person, new.account, new.payload)
        return threads.show_message(world, tx, row)

    return await world.store.run(act)


@router.post("/accounts/{account}/messages", status_code=201)
async def owner_writes(request: Request, account: str, new: OwnerMessage) -> Json:
    """A person of the brand answers on their phone: our side sees an echo it did not cause."""
    world = world_of(request)

    def act(tx: Tx) -> Json:
        thread = shopper.meet(world, tx, new.shopper, account)
        row = threads.add_message(world, tx, thread, "app", Body(text=new.text))
        return threads.show_message(world, tx, row)

    return await world.store.run(act)


@router.post("/accounts/{account}/comments", status_code=201)
async def owner_comments(request: Request, account: str, new: OwnerComment) -> Json:
    """The account comments under its own post."""
    world = world_of(request)

    def act(tx: Tx) -> Json:
        shop, media = shopper.find(tx, "accounts", account), shopper.find(tx, "media", new.post)
        if media["account_id"] != shop["id"]:
            raise BadRequest("The post belongs to another account.")
        row = add_comment(world, tx, media, new.text, shopper_id=None, parent_id=new.parent)
        return {"id": row["id"]}

    return await world.store.run(act)
